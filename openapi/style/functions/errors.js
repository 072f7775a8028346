// Errors: their one shape, and those that follow from the shape of an operation.

const MEDIA_TYPE = "application/problem+json";

const problem = (answer) => {
  const content = answer.content ?? {};
  if (Object.keys(content).join() !== MEDIA_TYPE) {
    return [{ message: `answers ${Object.keys(content).join(", ") || "nothing"} instead of ${MEDIA_TYPE}` }];
  }
  const schema = content[MEDIA_TYPE].schema ?? {};
  return schema.$ref === "#/components/schemas/ProblemDetail"
    ? []
    : [{ message: "the schema is not ProblemDetail" }];
};

const declared = (operation, { path }) => {
  const parameters = operation.parameters ?? [];
  const headers = parameters.filter((one) => one.in === "header").map((one) => one.name.toLowerCase());
  const wanted = new Set();
  const isProtected = operation.security?.some((one) => Object.keys(one).length);
  if (isProtected) ["401", "403", "503"].forEach((status) => wanted.add(status));
  if (String(path[1]).includes("{") && isProtected) wanted.add("404");
  if (isProtected && (parameters.length || operation.requestBody)) wanted.add("422");
  if (isProtected && operation.requestBody) wanted.add("413");
  if (headers.includes("if-match")) ["412", "428"].forEach((status) => wanted.add(status));
  const missing = [...wanted].filter((status) => !operation.responses?.[status]);
  return missing.length ? [{ message: `not declared: ${missing.join(", ")}` }] : [];
};

const QUESTIONS = { problem, declared };

export default (target, { ask }, context) => QUESTIONS[ask](target, context);
