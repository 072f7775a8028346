// A list: keyset pages, one shape everywhere.

const WORDS = ["limit", "cursor", "count"];
const FIELDS = ["items", "next", "total"];

export default (operation) => {
  const schema = operation.responses?.["200"]?.content?.["application/json"]?.schema;
  const fields = Object.keys(schema?.properties ?? {});
  const query = (operation.parameters ?? []).filter((one) => one.in === "query").map((one) => one.name);
  const isPaged = query.includes("cursor") || (fields.includes("items") && fields.includes("next"));
  if (!isPaged) return [];
  // The change feed counts nothing: it has no end.
  const isFeed = query.includes("after");
  const missing = isFeed
    ? []
    : [
        ...FIELDS.filter((name) => !fields.includes(name)),
        ...WORDS.filter((name) => !query.includes(name)),
      ];
  return missing.length ? [{ message: `a page without ${missing.join(", ")}` }] : [];
};
