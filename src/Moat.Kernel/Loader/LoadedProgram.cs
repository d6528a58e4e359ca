using Moat.Kernel.Credentials;
using Moat.Kernel.Memory;
using Moat.Linux;

namespace Moat.Kernel.Loader;

/// <summary>A program ready to run.</summary>
/// <param name="Memory">Its address space, with one user: whoever takes it.</param>
/// <param name="Registers">Where it starts.</param>
/// <param name="Name">The file's name without folders: comm.</param>
/// <param name="Credentials">Who the task is from then on.</param>
public sealed record LoadedProgram(MemoryManager Memory, RegisterSet Registers, byte[] Name, ProgramCredentials Credentials);
