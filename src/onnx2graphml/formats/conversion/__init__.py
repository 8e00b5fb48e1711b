"""One format into another: a graph whose edges stay in the file that they are read from."""
