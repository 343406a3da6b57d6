import type { Closure } from './closure.ts';
import type { ModelMethod, ModelProperty } from './model.ts';

/** The metadata module: one line of text per type, parsed only when the type is first needed. */
export function emitMetadata(closure: Closure): ReadonlyMap<string, string> {
  const since = (version: string): string => closure.versions.indexOf(version).toString(36);
  const member = (property: ModelProperty): string =>
    [`${property.name}${property.optional ? '?' : ''}`, property.type, since(property.since), property.privilege ?? '']
      .join(' ')
      .trimEnd();
  const members = (properties: readonly ModelProperty[]): string => properties.map(member).join(';');
  const method = (it: ModelMethod): string =>
    [
      it.name,
      it.owner,
      since(it.since),
      it.privilege,
      `${it.result}${it.resultOptional ? '?' : ''}`,
      it.taskResult ?? '',
      members(it.parameters),
      it.faults.join(','),
    ].join('|');
  const methods = closure.managedTypes.flatMap((type) => type.methods).sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Map([
    [
      'metadata-data-types.ts',
      module(
        'DATA_TYPES',
        '`name|base|since|property[?] type since;…`',
        closure.dataTypes.map((type) => [type.name, type.base, since(type.since), members(type.properties)].join('|')),
      ),
    ],
    [
      'metadata-services.ts',
      [
        `/** The API versions known, oldest first; \`since\` fields are indexes into it, in base 36. */`,
        `export const VERSIONS = ${JSON.stringify(closure.versions)} as const;\n`,
        module(
          'ENUMS',
          '`name|since|value,…`',
          closure.enums.map((type) => [type.name, since(type.since), type.values.join(',')].join('|')),
        ),
        module(
          'MANAGED_TYPES',
          '`name|base|since|property[?] type since privilege;…`',
          closure.managedTypes.map((type) =>
            [type.name, type.base, since(type.since), members(type.properties)].join('|'),
          ),
        ),
        module('METHODS', '`name|owner|since|privilege|result[?]|task result|parameters|faults`', methods.map(method)),
      ].join('\n'),
    ],
  ]);
}

function module(name: string, shape: string, lines: readonly string[]): string {
  return `/** One line each: ${shape}. */\nexport const ${name} = \`\n${lines.join('\n')}\n\`;\n`;
}
