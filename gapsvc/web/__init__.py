"""Pages for people, made on the server (architecture.md, gapsvc/web): finding a child, and the page of one child.

They need no script. People sign in with a token of the API and see what its scopes allow.
"""

from gapsvc.web.errors import error_page
from gapsvc.web.pages import register_pages
from gapsvc.web.signing import signed_in

__all__ = ["error_page", "register_pages", "signed_in"]
