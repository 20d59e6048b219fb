"""The attribution that every index and answer of this project owes to its sources."""

ATTRIBUTION = (
    "This product includes information from the O*NET Database by the U.S. Department of Labor, Employment and Training "
    "Administration (USDOL/ETA), used under the CC BY 4.0 license; it has been modified, and USDOL/ETA has not approved, endorsed or "
    "tested the modifications. Wages: U.S. Bureau of Labor Statistics, OEWS May 2025."
)
