// The headers of safe changes: ETag, If-Match, Idempotency-Key.

const takes = (operation, name) =>
  (operation.parameters ?? []).some(
    (one) => one.in === "header" && one.name.toLowerCase() === name,
  );

// A transition stands below the item it changes: /waves/{wave_id}/opening.
const changesUnder = (paths, item) =>
  Object.entries(paths).some(
    ([path, methods]) =>
      (path === item || (path.startsWith(`${item}/`) && !path.slice(item.length).includes("{"))) &&
      Object.values(methods).some((operation) => takes(operation, "if-match")),
  );

const etag = (paths) =>
  Object.keys(paths).flatMap((path) => {
    const answer = paths[path].get?.responses?.["200"];
    if (!path.endsWith("}") || !answer || !changesUnder(paths, path)) return [];
    const names = Object.keys(answer.headers ?? {}).map((name) => name.toLowerCase());
    if (names.includes("etag")) return [];
    return [{ message: `GET ${path} does not declare its ETag`, path: ["paths", path, "get"] }];
  });

const ifMatch = (operation, { except }, { path }) =>
  takes(operation, "if-match") || except.includes(`${path[2]} ${path[1]}`)
    ? []
    : [{ message: "does not ask for If-Match" }];

const idempotent = (operation) => {
  const begins = ["201", "202"].some((status) => operation.responses?.[status]);
  return !begins || takes(operation, "idempotency-key")
    ? []
    : [{ message: "makes something and takes no Idempotency-Key" }];
};

const QUESTIONS = { etag, ifMatch, idempotent };

export default (target, options, context) => QUESTIONS[options.ask](target, options, context);
