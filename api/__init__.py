"""The HTTP service: the matcher for job boards, as the wire formats fix it."""
