"""Laws of nature and of machines as pure functions, each with its source; they know arrays alone."""
