// This file is preloaded into the gateway's process, because the gateway has no option for the address to bind to, and without a
// custom host it calls real upstreams. It binds every listener to 127.0.0.1 and refuses every connection that leaves the machine.
'use strict';
const net = require('node:net');

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1']);

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (first, ...rest) {
  if (first !== null && typeof first === 'object' && first.port !== undefined) {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest);
  }
  if (typeof first === 'number' || /^\d+$/.test(String(first))) {
    return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...rest.filter((a) => typeof a === 'function'));
  }
  return listen.call(this, first, ...rest);
};

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = options && typeof options === 'object' && !options.path ? options.host || 'localhost' : null;
  if (host !== null && !LOOPBACK.has(host)) {
    const refused = Object.assign(new Error(`loopback only, not ${host}`), { code: 'ENETUNREACH' });
    process.nextTick(() => this.destroy(refused));
    return this;
  }
  return connect.apply(this, args);
};
