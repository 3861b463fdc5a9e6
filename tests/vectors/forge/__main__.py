"""Write the files anew."""

from tests.vectors.forge.corpus import write_files

for path, text in write_files():
    path.write_text(text, encoding="utf-8")
