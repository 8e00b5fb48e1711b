"""A trace as a picture: layers as columns, neurons at their positions, edges by what goes along them."""
