// What differs between a schema that comes in and one that goes out.

const closed = (schema) => {
  const open = (schema.anyOf ?? schema.oneOf ?? [schema]).filter(
    (one) => one.properties && one.additionalProperties !== false,
  );
  return open.length ? [{ message: "unknown fields would be lost: additionalProperties is not false" }] : [];
};

const named = (schema, { document, path }, { except }) => {
  if (except.includes(path[1])) return [];
  if (!schema.$ref) return [{ message: "the answer's schema has no name" }];
  const target = document.data.components.schemas[schema.$ref.split("/").at(-1)];
  return target?.type === "object" ? [] : [{ message: "the answer is not an object" }];
};

const QUESTIONS = { closed, named };

export default (schema, options, context) => QUESTIONS[options.ask](schema, context, options);
