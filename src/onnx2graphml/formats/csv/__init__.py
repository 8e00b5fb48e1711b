"""CSV tables for Gephi and for Neo4j."""
