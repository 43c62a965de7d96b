"""The part of DataHub's GraphQL API that the stock clients use."""
