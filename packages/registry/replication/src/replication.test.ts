import { onSqlite } from '@vic/sql/testing';
import { replicationSuite } from './testing/replication.suite.ts';
import { restSuite } from './testing/rest.suite.ts';
import { topologiesSuite } from './testing/topologies.suite.ts';

onSqlite('replication', replicationSuite);
onSqlite('replication', restSuite);
onSqlite('replication', topologiesSuite);
