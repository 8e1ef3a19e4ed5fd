"""Rosenbrock methods as tables, in the unknowns u in which a stage needs one solve and no product with J.

    (I / (gamma h) - J) u_i = f(Y_i) + (1 / h) sum_j C_ij u_j,    Y_i = y + sum_j A_ij u_j,

(Hairer & Wanner, Solving ODEs II, IV.7). Both methods here are stiffly accurate: the new value is the last point plus
the last increment, and that increment is the error estimate. Between the ends of a step

    y(theta) = (1 - theta) y0 + theta y1 + theta (1 - theta) (d_1 + theta d_2 + ...),    d_k = sum_i DENSE_ki u_i.

To add a method, add a table: nothing else in this package knows coefficients.
"""

from dataclasses import dataclass

__all__ = ["METHODS", "RODAS3", "RODAS5P", "Table"]


@dataclass(frozen=True)
class Table:
    """Coefficients of one method; row i of `a` and `c` has the entries left of the diagonal."""

    name: str
    order: int
    gamma: float
    a: tuple
    c: tuple
    dense: tuple

    @property
    def stages(self):
        return len(self.c)


RODAS5P = Table(  # Steinebach (2023), BIT 63, 27, doi:10.1007/s10543-023-00967-x: order 5, dense output of order 4
    name="Rodas5P",
    order=5,
    gamma=0.21193756319429014,
    a=(
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
        (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0),
        (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0,
         1.0),
    ),
    c=(
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
         -28.087943162872662),
        (37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
         -54.66780262877968, -9.48861652309627),
    ),
    dense=(
        (25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073,
         1.1241088310450404, 0.4272876194431874, -0.17202221070155493),
        (-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044,
         15.98066361424651, -6.789040303419874, -6.710236069923372),
        (11.419903575922262, 2.8879645136146994, 72.92137995996029, 80.12511834622643, -52.072871366152654,
         -59.78993625266729, -0.15582684282751913, 4.883087185713722),
    ),
)  # fmt: skip

RODAS3 = Table(  # Sandu et al. (1997), Atmospheric Environment 31, 3459-3472: order 3, for loose tolerances
    name="Rodas3",
    order=3,
    gamma=0.5,
    a=((), (0.0,), (2.0, 0.0), (2.0, 0.0, 1.0)),
    c=((), (4.0,), (1.0, -1.0), (1.0, -1.0, -8.0 / 3.0)),
    dense=((3.0, -1.0, 1.0, 0.0),),  # ours: order 2, and monotone in the limit of infinite stiffness
)

METHODS = {table.name: table for table in (RODAS5P, RODAS3)}
