"""Parts that stand in more than one place of a kind's file: tables of ratings with their laws, never a kind."""
