"""Documents as text: what a person would read in them, and what they say of themselves."""

from cortex.media.documents.manuscript import Manuscript as Manuscript
from cortex.media.documents.reading import is_readable as is_readable
from cortex.media.documents.reading import read_document as read_document
