"""Network science on a whole network: measures of all neurons, told by layer, as tables and files."""
