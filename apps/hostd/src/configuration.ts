import { parseConfiguration, readConfiguration } from '@vic/config';
import { type Static, Type } from 'typebox';

const schema = Type.Object(
  {
    /** Tells several hosts on one machine apart; part of the names of namespaces and interfaces. */
    instance: Type.String({ minLength: 1 }),
    /** Everything hostd keeps: inventory, datastores, running machines, keys, logs. Absolute. */
    stateDirectory: Type.String({ pattern: '^/' }),
    /** The /24 of `VM Network`; a free one is chosen when absent. */
    subnet: Type.Optional(Type.String({ minLength: 1 })),
    /** `nat` lets machines reach what this machine reaches; `none` keeps them apart. */
    uplink: Type.Union([Type.Literal('nat'), Type.Literal('none')], { default: 'nat' }),
    /** TCP port of the vSphere API. */
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 443 }),
    /** Least severe lines that are logged. */
    logLevel: Type.Enum(['debug', 'info', 'warn', 'error'], { default: 'info' }),
    /** First of the user and group ids that machines run as. */
    machineUserBase: Type.Integer({ minimum: 1000, maximum: 2 ** 31, default: 700_000 }),
    /** Programs that process VMs may run, by name. */
    programs: Type.Record(
      Type.String(),
      Type.Object(
        {
          command: Type.Unsafe<readonly [string, ...string[]]>(
            Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

/** hostd's configuration file; unknown fields are refused. See docs/reference/hostd.md. */
export type HostdConfiguration = Readonly<Static<typeof schema>>;

/** Reads and checks a configuration file; says which field is wrong and what it should be. */
export async function readHostdConfiguration(path: string): Promise<HostdConfiguration> {
  return readConfiguration(schema, path);
}

/** As {@link readHostdConfiguration}, for text at hand; `source` names it in errors. */
export function parseHostdConfiguration(text: string, source: string): HostdConfiguration {
  return parseConfiguration(schema, text, source);
}
