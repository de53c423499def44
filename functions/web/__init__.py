"""HTTP as the API speaks it: problems, and the document that describes it all."""
