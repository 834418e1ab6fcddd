"""A district's own lists (personnel, directory, device vendor) become people.csv and devices.csv.

`reading` takes an export as people save it, `merging` puts its rows into the file that is there, `importing` judges the
whole configuration that would result and only then writes; `starting` writes a first configuration around two lists.
"""
