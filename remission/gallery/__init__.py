"""The catalogue as pages: equations, letters with units, what follows by algebra, main figure, what to know.

`page` collects it for one model, `page_text` prints it (`remission show`), `page_markdown` is its page in the docs.
Everything but the main figure's recipe is generated from the model and its docstring.
"""

from .page import Page, page, page_text
from .pictures import Recipe, draw, recipes
from .site import page_markdown, write_site

__all__ = ["Page", "Recipe", "draw", "page", "page_markdown", "page_text", "recipes", "write_site"]
