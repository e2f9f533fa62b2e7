"""The company in the words of Exact Online: one function per entity, from a view of one division to its rows."""
