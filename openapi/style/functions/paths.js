// Rules over the whole table of paths: names of collections, names of operations.

const METHODS = ["get", "put", "post", "delete", "patch"];
// What ends otherwise in the plural.
const PLURALS = ["data", "people"];

const segmentsOf = (path) => path.split("/").filter(Boolean);

const plural = (path) =>
  segmentsOf(path).flatMap((segment, index, all) => {
    const collection = all[index - 1];
    if (!segment.startsWith("{") || !collection || collection.startsWith("{")) return [];
    if (collection.endsWith("s") || PLURALS.includes(collection)) return [];
    return [{ message: `"${collection}" before ${segment} is not plural`, path: ["paths", path] }];
  });

const operationId = (path, methods) => {
  const area = segmentsOf(path)[1];
  const service = ["registry", "indicators", "monitoring", "training"].includes(area)
    ? area
    : "gateway";
  return METHODS.filter((method) => methods[method]).flatMap((method) => {
    const id = methods[method].operationId ?? "";
    if (new RegExp(`^${service}_[a-z]+(_[a-z0-9]+)*$`).test(id)) return [];
    return [
      { message: `operationId "${id}" is not ${service}_<verb…>`, path: ["paths", path, method] },
    ];
  });
};

const QUESTIONS = { plural, operationId };

export default (paths, { ask }) =>
  Object.entries(paths).flatMap(([path, methods]) => QUESTIONS[ask](path, methods));
