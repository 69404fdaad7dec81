// Shows /api/openapi.json in Swagger UI, which this server brings along.
"use strict";

SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#operations",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  validatorUrl: null,
  queryConfigEnabled: false,
  tryItOutEnabled: true,
});
