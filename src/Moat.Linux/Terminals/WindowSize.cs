using System.Runtime.InteropServices;

namespace Moat.Linux.Terminals;

/// <summary><c>struct winsize</c> (ioctl_tty(2)): characters and pixels.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct WindowSize(ushort Rows, ushort Columns, ushort WidthPixels, ushort HeightPixels);
