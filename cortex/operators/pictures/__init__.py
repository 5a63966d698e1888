"""Still pictures: what is measured of them and what is made of them."""
