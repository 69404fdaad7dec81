"""The trash: what is moved there, what it holds, and what leaves it."""
