namespace Moat.Kernel.Loader;

/// <summary>What the auxiliary vector says of the image (getauxval(3)).</summary>
/// <param name="ProgramHeaders">AT_PHDR.</param>
/// <param name="ProgramHeaderCount">AT_PHNUM.</param>
/// <param name="InterpreterBase">AT_BASE.</param>
/// <param name="Entry">AT_ENTRY.</param>
/// <param name="Vdso">AT_SYSINFO_EHDR; 0 if there is none.</param>
internal readonly record struct AuxiliaryFacts(ulong ProgramHeaders, int ProgramHeaderCount, ulong InterpreterBase, ulong Entry, ulong Vdso);
