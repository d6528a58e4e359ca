using System.Runtime.InteropServices;

namespace Moat.Kernel.Bpf;

/// <summary><c>struct sock_filter</c>.</summary>
/// <param name="Code">What to do.</param>
/// <param name="IfTrue">How many instructions a jump skips.</param>
/// <param name="IfFalse">How many it skips otherwise.</param>
/// <param name="Operand"><c>k</c>.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct BpfInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);
