"""Server CPU per fix against a bare floor; `__main__` says how."""
