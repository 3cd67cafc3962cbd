// Sidebyside measures load generators on the same server, in one session and in turns: gatecert's load engine, vegeta's library and
// fortio's. It prints Markdown tables: how many requests a second, how much processor time each takes, what is lost of a rate that is
// asked for, and the memory of long measurements. It is a module of its own, so that gatecert does not depend on fortio.
//
//	make bench-load              everything, with ten rounds; takes five minutes of a machine that does nothing else
//	make bench-load ROUNDS=1     a look
//	make side-by-side            the comparison alone
//
// Each measurement is a process of its own, and the server another one.
package main
