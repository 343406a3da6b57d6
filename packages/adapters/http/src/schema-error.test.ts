import { silentLogger } from '@vic/log';
import { expect, it } from 'vitest';
import { Type, createHttpServer } from './index.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

const body = Type.Object(
  {
    mode: Type.Optional(Type.Union([Type.Literal('replace'), Type.Literal('merge')])),
    level: Type.Optional(Type.Enum(['system', 'project'])),
    kind: Type.Optional(Type.Literal('only')),
    trigger: nullable(Type.Object({ type: Type.String(), every: nullable(Type.Literal('day')) })),
    rules: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object({ kind: Type.Literal('a'), size: Type.Integer() }),
          Type.Object({ kind: Type.Literal('b'), name: Type.String() }),
          Type.Object({ kind: Type.Literal('c'), name: Type.String(), key: Type.String(), owner: Type.String() }),
          Type.Object({ kind: Type.Literal('d'), title: Type.String() }, { additionalProperties: false }),
        ]),
      ),
    ),
    count: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);

it.each([
  [{ mode: 'add' }, 'body/mode must be one of "replace", "merge".'],
  [{ level: 'world' }, 'body/level must be one of "system", "project".'],
  [{ kind: 'other' }, 'body/kind must be "only".'],
  [{ trigger: 'daily' }, 'body/trigger must be one of object, null.'],
  [{ trigger: { type: 7 } }, 'body/trigger/type must be string.'],
  [{ trigger: {} }, 'body/trigger lacks type.'],
  [{ trigger: { type: 'x', every: 'week' } }, 'body/trigger/every must be one of "day", null.'],
  [{ rules: [{ kind: 'z' }] }, 'body/rules/0/kind must be one of "a", "b", "c", "d".'],
  [
    { rules: [{ kind: 'd', title: 'x', colour: 'red', size: 'big', name: 7, key: 7 }] },
    'body/rules/0/colour is unknown.',
  ],
  [
    {
      rules: [
        { kind: 'b', name: 'x' },
        { kind: 'a', size: 'big' },
      ],
    },
    'body/rules/1/size must be integer.',
  ],
  [{ count: 0 }, 'body/count must be >= 1.'],
  [{ colour: 'red' }, 'body/colour is unknown.'],
  [[], 'body must be object.'],
])('%j is answered "%s"', async (value, message) => {
  await using server = createHttpServer({ logger: silentLogger() });
  server.app.post('/things', { schema: { body } }, async () => 'taken');
  const answer = await server.app.inject({ method: 'POST', url: '/things', payload: value });
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ code: 'HTTP_INVALID_REQUEST', message });
});
