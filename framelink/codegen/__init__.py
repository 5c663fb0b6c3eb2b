"""SCHEMAS → SOURCE TEXT.  Pure: a schema goes in, the text of a file in another language comes out.

`languages` has the table of all languages.  The texts that are the same for all schemas are files in
`templates`, each in its own language, which are read once, at import.
"""
