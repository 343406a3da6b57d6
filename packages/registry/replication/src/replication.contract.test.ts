import { onPostgres } from '@vic/sql/testing';
import { replicationSuite } from './testing/replication.suite.ts';
import { restSuite } from './testing/rest.suite.ts';
import { topologiesSuite } from './testing/topologies.suite.ts';

onPostgres('replication', replicationSuite);
onPostgres('replication', restSuite);
onPostgres('replication', topologiesSuite);
