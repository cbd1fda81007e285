"""Local fakes of clouds: small servers that speak the HTTP APIs as far as the drivers use them."""
