// Rules over one schema: of a parameter or of a field.

const CYRILLIC = /[А-Яа-яЁё]/;
const TIMES = { at: "date-time", on: "date" };

const alternatives = (schema) =>
  (schema?.anyOf ?? schema?.oneOf ?? schema?.allOf ?? [schema]).filter(Boolean);
const some = (schema, holds) =>
  holds(schema) || alternatives(schema).some((one) => one !== schema && some(one, holds));

const text = (property) =>
  some(property, (one) => CYRILLIC.test(one.description ?? ""))
    ? []
    : [{ message: "no Russian description" }];

const shows = (one) =>
  one.example !== undefined ||
  one.examples !== undefined ||
  one.const !== undefined ||
  one.enum !== undefined ||
  (one.default !== undefined && one.default !== null) ||
  one.type === "boolean" ||
  one.type === "null" ||
  // A field that is an object or a list shows its example in the fields of that object.
  one.type === "object" ||
  one.properties !== undefined ||
  one.additionalProperties !== undefined ||
  (one.type === "array" && shows(one.items ?? {})) ||
  (one.anyOf ?? one.oneOf ?? one.allOf ?? []).some((inner) => inner.type !== "null" && shows(inner));

const example = (place) =>
  shows(place) || (place.schema && shows(place.schema)) ? [] : [{ message: "no example" }];

const enumerated = (schema, { path }) => {
  // `enum` here may be a field of that name, or an example.
  if (!Array.isArray(schema.enum)) return [];
  const isNamed = path.length === 3 && path[0] === "components" && path[1] === "schemas";
  if (schema.type && (isNamed || schema.enum.length === 1)) return [];
  return [{ message: schema.type ? "a list of words without a name" : "a list of words without a type" }];
};

const time = (property, { path }) => {
  const format = TIMES[String(path.at(-1)).split("_").slice(1).at(-1)];
  const isPlainText = some(property, (one) => one.type === "string" && !one.enum && !one.const);
  if (!format || !isPlainText || some(property, (one) => one.format === format)) return [];
  return [{ message: `"${path.at(-1)}" is not of the format ${format}` }];
};

const QUESTIONS = { text, example, enum: enumerated, time };

export default (schema, { ask }, context) => QUESTIONS[ask](schema, context);
