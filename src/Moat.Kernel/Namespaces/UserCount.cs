namespace Moat.Kernel.Namespaces;

/// <summary>How many use a namespace. Once the number has come back to zero it stays there. Any thread.</summary>
public struct UserCount
{
    private int _users;

    /// <summary>Adds a user where there is one, or the first one of all.</summary>
    public void Add() => Interlocked.Increment(ref _users);

    /// <summary>Adds a user.</summary>
    /// <returns>False if there is none left.</returns>
    public bool TryAdd()
    {
        int users = Volatile.Read(ref _users);
        while (users > 0)
        {
            int seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
            {
                return true;
            }

            users = seen;
        }

        return false;
    }

    /// <summary>Removes a user.</summary>
    /// <returns>Whether it was the last.</returns>
    public bool RemoveLast() => Interlocked.Decrement(ref _users) == 0;
}
