"""What is due when: immunizations (CDC CDSi). Pure: no web, SQL, network, clock or environment."""
