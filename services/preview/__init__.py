"""What an order would come to, without placing it: what it reserves, costs and pays, and why it would be refused."""
