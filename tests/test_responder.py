"""The conductor: which of index, upstream and reason why not answers."""
