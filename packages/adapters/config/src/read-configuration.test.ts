import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { parseConfiguration, readConfiguration } from './index.ts';

const schema = Type.Object(
  {
    listen: Type.Object(
      { host: Type.String({ default: '0.0.0.0' }), port: Type.Integer({ minimum: 1, maximum: 65_535 }) },
      { additionalProperties: false },
    ),
    name: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

test('parseConfiguration() reads YAML and JSON and fills in defaults', () => {
  expect(parseConfiguration(schema, 'listen:\n  port: 80\n', 'a.yaml')).toEqual({
    listen: { host: '0.0.0.0', port: 80 },
  });
  expect(parseConfiguration(schema, '{"listen": {"port": 80}}', 'a.json').listen.port).toBe(80);
});

test('parseConfiguration() names file, line and field of what is wrong', () => {
  const parse = (text: string) => () => parseConfiguration(schema, text, 'a.yaml');
  expect(parse('listen:\n  host: x\n  port: 80000\n')).toThrow(/a\.yaml:3 has a wrong field "listen\.port"/);
  expect(parse('listen:\n  port: 80\nnmae: x\n')).toThrow(/a\.yaml:3 has a wrong field "nmae"/);
  expect(parse('listen:\n  host: x\n')).toThrow(/"listen\.port"/);
  expect(parse('listen: [\n')).toThrow(/a\.yaml:\d is not YAML/);
  expect(parse('listen:\n  port: 1\nlisten:\n  port: 2\n')).toThrow(/a\.yaml:3 is not YAML/);
});

test('readConfiguration() says that a file cannot be read', async () => {
  await expect(readConfiguration(schema, '/nowhere/at/all.yaml')).rejects.toThrow(
    '/nowhere/at/all.yaml cannot be read',
  );
});
