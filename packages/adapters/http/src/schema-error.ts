/** A problem that TypeBox found, in JSON schema's words. */
interface SchemaProblem {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

const MAX_NAME = 64;

/** The first thing that is wrong with a part of a request, for people: the field, and what it may be. */
export function describeSchemaProblems(problems: readonly SchemaProblem[], part: string): string {
  const [first] = problems;
  if (first === undefined) return `${part} is invalid`;
  const union = problems
    .filter((problem) => problem.keyword === 'anyOf' && isIn(first, problem))
    .toSorted((one, other) => one.schemaPath.length - other.schemaPath.length)[0];
  return union === undefined ? describe(first, part) : describeUnion(problems, union, part);
}

function isIn(problem: SchemaProblem, union: SchemaProblem): boolean {
  return problem.schemaPath.startsWith(`${union.schemaPath}/anyOf/`);
}

/** A union says only that nothing fits: what was meant is the variant that fits at first sight, if one does. */
function describeUnion(problems: readonly SchemaProblem[], union: SchemaProblem, part: string): string {
  const variants = Map.groupBy(
    problems.filter((problem) => isIn(problem, union)),
    ({ schemaPath }) => schemaPath.slice(union.schemaPath.length).split('/')[2] ?? '',
  );
  const meant = [...variants.values()].filter((variant) => !variant.some((problem) => isChoice(problem, union)));
  const [chosen] = meant.toSorted((one, other) => choicesIn(one) - choicesIn(other));
  if (chosen !== undefined && (meant.length === 1 || choicesIn(chosen) === 0)) {
    return describeSchemaProblems(chosen, part);
  }
  const all = chosen === undefined ? [...variants.values()].flat() : meant.flat();
  const where = chosen === undefined ? union : (all.find(({ keyword }) => keyword === 'const') ?? union);
  const values = all.filter(({ instancePath }) => instancePath === where.instancePath).flatMap(allowedBy);
  return `${fieldOf(where, part)} must be ${oneOf([...new Set(values)])}`;
}

/** Whether the value itself, and not something in it, is what the variant does not take. */
function isChoice({ keyword, instancePath }: SchemaProblem, union: SchemaProblem): boolean {
  return instancePath === union.instancePath && ['const', 'enum', 'type'].includes(keyword);
}

function choicesIn(variant: readonly SchemaProblem[]): number {
  return variant.filter(({ keyword }) => keyword === 'const').length;
}

function allowedBy({ keyword, params }: SchemaProblem): readonly string[] {
  if (keyword === 'const') return [JSON.stringify(params['allowedValue'])];
  if (keyword === 'enum') return listed(params['allowedValues']).map((value) => JSON.stringify(value));
  return keyword === 'type' ? [String(params['type'])] : [];
}

function describe(problem: SchemaProblem, part: string): string {
  const { keyword, params, message = 'is invalid' } = problem;
  const field = fieldOf(problem, part);
  switch (keyword) {
    case 'const':
    case 'enum':
      return `${field} must be ${oneOf(allowedBy(problem))}`;
    case 'required':
      return `${field} lacks ${listed(params['requiredProperties']).join(', ')}`;
    case 'boolean':
      return `${field} is unknown`;
    default:
      return `${field} ${message}`;
  }
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`;
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf({ instancePath }: SchemaProblem, part: string): string {
  const keys = instancePath.split('/').slice(1);
  return [part, ...keys.map((key) => key.slice(0, MAX_NAME).replaceAll('~1', '/').replaceAll('~0', '~'))].join('/');
}
