namespace Moat.Filesystems.Dev;

/// <summary>The devices of major number 1 that hold no state.</summary>
internal enum MemoryDeviceKind
{
    Null,
    Zero,
    Full,
    Random,
}
