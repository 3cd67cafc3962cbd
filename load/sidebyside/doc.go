// Command sidebyside measures load generators against the same server, in turns within one session: gatecert's load engine and the libraries of
// vegeta and fortio. It prints Markdown tables: requests per second, CPU time per request, how much of a requested rate is lost, and the memory of
// long measurements. It is a separate module, so that gatecert does not depend on fortio.
//
//	make bench-load              everything, with ten rounds; takes five minutes on an otherwise idle machine
//	make bench-load ROUNDS=1     a quick look
//	make side-by-side            the comparison alone
//
// Each measurement runs in its own process, and so does the server.
package main
