"use strict";

// Swagger UI's own filter knows tags only; people look for a word, a path or an operation id.
function searchEverywhere() {
  return {
    fn: {
      opsFilter: function (taggedOperations, phrase) {
        const wanted = phrase.trim().toLowerCase();
        return taggedOperations
          .map(function (tag, name) {
            if (name.toLowerCase().includes(wanted)) {
              return tag;
            }
            return tag.update("operations", function (operations) {
              return operations.filter(function (one) {
                const told = [
                  one.get("path"),
                  one.get("method"),
                  one.getIn(["operation", "operationId"]),
                  one.getIn(["operation", "summary"]),
                  one.getIn(["operation", "description"]),
                ];
                return told.join(" ").toLowerCase().includes(wanted);
              });
            });
          })
          .filter(function (tag) {
            return tag.get("operations").size > 0;
          });
      },
    },
  };
}

SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#contract",
  deepLinking: true,
  filter: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  // The name of no other server: the validator badge would send the address of this one away.
  validatorUrl: null,
  plugins: [searchEverywhere],
});
