// Rules over one schema: of a parameter or of a field. They read the document unresolved, since what
// stands beside a reference (a description, an example) is lost when the reference is replaced.

const CYRILLIC = /[А-Яа-яЁё]/;
const TIMES = { at: "date-time", on: "date" };

const referred = ({ $ref }, document) => {
  if (!$ref) return undefined;
  const steps = $ref.split("/").slice(1);
  return steps.reduce((node, step) => node?.[step], document.data);
};

const inner = (schema, document) =>
  [referred(schema, document), ...(schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [])].filter(Boolean);

// Whether it holds of the schema or of anything it may be.
const some = (schema, document, holds) =>
  holds(schema) || inner(schema, document).some((one) => some(one, document, holds));

const text = (place, { document }) =>
  some(place, document, (one) => CYRILLIC.test(one.description ?? ""))
    ? []
    : [{ message: "no Russian description" }];

const shows = (document) => (one) =>
  one.example !== undefined ||
  one.examples !== undefined ||
  one.const !== undefined ||
  one.enum !== undefined ||
  (one.default !== undefined && one.default !== null) ||
  one.type === "boolean" ||
  // A field that is an object or a list shows its example in the fields of that object.
  one.type === "object" ||
  one.properties !== undefined ||
  one.additionalProperties !== undefined ||
  (one.type === "array" && some(one.items ?? {}, document, shows(document)));

const example = (place, { document }) =>
  some(place, document, shows(document)) || some(place.schema ?? {}, document, shows(document))
    ? []
    : [{ message: "no example" }];

// `enum` here may also be a field of that name, or a part of an example.
const enumerated = (schema) =>
  Array.isArray(schema.enum) && !schema.type ? [{ message: "a list of words without a type" }] : [];

const time = (property, { path, document }) => {
  const format = TIMES[String(path.at(-1)).split("_").slice(1).at(-1)];
  const isPlainText = some(
    property,
    document,
    (one) => one.type === "string" && !one.enum && !one.const,
  );
  if (!format || !isPlainText) return [];
  return some(property, document, (one) => one.format === format)
    ? []
    : [{ message: `"${path.at(-1)}" is not of the format ${format}` }];
};

const QUESTIONS = { text, example, enum: enumerated, time };

export default (schema, { ask }, context) => QUESTIONS[ask](schema, context);
