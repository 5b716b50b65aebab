/**
 * Imports go down only: apps → feature libs → platform libs → kernel, and into a lib only through its index.
 * Layers are listed from the bottom up. A lib may import only from layers below its own.
 */
const layers = [
  ['kernel'],
  ['config', 'event-types'],
  ['observability', 'chain'],
  ['migrations'],
  ['mongo'],
  ['redis', 'fence'],
  ['events', 'guess-limits', 'openid-connect', 'usage'],
  ['queues', 'audit', 'passwords'],
  ['feed', 'retention'],
  ['catalogue', 'identity', 'tokens'],
  ['credentials'],
  ['api-withdrawal', 'history', 'reviews'],
  ['access', 'attention', 'leaks', 'recovery'],
];

const anyOf = (names) => `(${names.join('|')})`;

/** One rule per layer: it must not import from its own layer's other libs, nor from any layer above. */
const layerRules = layers.map((libs, index) => ({
  name: `layer-${libs.join('-')}`,
  severity: 'error',
  comment: 'A lib imports only from layers below its own.',
  from: { path: `^libs/${anyOf(libs)}/` },
  to: { path: `^libs/${anyOf(layers.slice(index).flat())}/`, pathNot: '^libs/$1/' },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...layerRules,
    {
      name: 'every-lib-has-a-layer',
      severity: 'error',
      comment: 'A new lib is added to the list of layers first.',
      from: { path: '^libs/', pathNot: `^libs/${anyOf(layers.flat())}/` },
      to: {},
    },
    {
      name: 'libs-know-no-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|tools|test|bench)/' },
    },
    {
      name: 'through-the-index',
      severity: 'error',
      from: { path: '^(?:libs/([^/]+)|apps|tools)/' },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/[^/]+/index\\.ts$', '^libs/$1/'] },
    },
    {
      name: 'http-serves-all-routes',
      severity: 'error',
      comment: 'What every route shares knows no route.',
      from: { path: '^apps/api/src/http/' },
      to: { path: '^apps/api/src/', pathNot: '^apps/api/src/http/' },
    },
    {
      name: 'pure-domain',
      severity: 'error',
      from: { path: '^libs/[^/]+/domain/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/kernel/', '^libs/event-types/index\\.ts$', '^libs/[^/]+/domain/', '^(node:)?crypto$'] },
    },
    {
      name: 'packages-stand-alone',
      severity: 'error',
      comment: 'A package has a life of its own: the verifier must not depend on the service that it checks.',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^(apps|libs|packages|test|tools|bench)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'tools-know-no-service',
      severity: 'error',
      from: { path: '^tools/' },
      to: { path: '^(apps|libs|test|bench)/' },
    },
    {
      name: 'bench-drives-from-outside',
      severity: 'error',
      comment: 'A benchmark measures what is shipped, so it starts the built service and imports none of its code.',
      from: { path: '^bench/' },
      to: { path: '^(apps|libs|test)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
