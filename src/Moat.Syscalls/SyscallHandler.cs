using Moat.Kernel.Tasks;
using Moat.Linux;

namespace Moat.Syscalls;

/// <summary>A system call: reads like its man page. Validates in the page's order, copies in once, calls the kernel, copies out last.</summary>
public delegate SyscallResult SyscallHandler(GuestTask task, in SyscallArguments arguments);
