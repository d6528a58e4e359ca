namespace Moat.Kernel.Tasks;

/// <summary>Holds the parent of a vfork(2) until the child has executed a program or ended.</summary>
internal sealed class VforkGate(GuestTask parent)
{
    private volatile bool _isOpen;

    /// <summary>Whether the parent may go on.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Lets the parent go.</summary>
    public void Open()
    {
        _isOpen = true;
        parent.Unblock();
    }
}
