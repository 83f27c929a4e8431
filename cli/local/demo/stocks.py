"""The stocks of the demo."""

STOCKS = {
    "PETR4": ("Petrobras PN", 3500),
    "PETR3": ("Petrobras ON", 3760),
    "VALE3": ("Vale ON", 6120),
    "ITUB4": ("Itaú Unibanco PN", 3390),
    "BBDC4": ("Bradesco PN", 1460),
    "BBAS3": ("Banco do Brasil ON", 2730),
    "B3SA3": ("B3 ON", 1180),
    "ABEV3": ("Ambev ON", 1310),
    "WEGE3": ("WEG ON", 5240),
    "ITSA4": ("Itaúsa PN", 1040),
    "RENT3": ("Localiza ON", 4380),
    "SUZB3": ("Suzano ON", 5510),
    "GGBR4": ("Gerdau PN", 1790),
    "MGLU3": ("Magazine Luiza ON", 920),
    "RADL3": ("Raia Drogasil ON", 2480),
    "EQTL3": ("Equatorial ON", 3170),
    "LREN3": ("Lojas Renner ON", 1630),
    "PRIO3": ("PRIO ON", 4260),
    "JBSS3": ("JBS ON", 3340),
    "AAPL": ("Apple", 58600),
}
"""Symbol: name and reference price in cents."""
